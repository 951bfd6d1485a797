// Fields that this version does not know, so that what a newer peer says is never left out.
#ifndef TIDEMARK_WIRE_UNKNOWN_FIELD_H_
#define TIDEMARK_WIRE_UNKNOWN_FIELD_H_

#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

namespace tidemark {

// The number of the first one in `message` itself, not below it; 0: there is none.
inline int UnknownField(const google::protobuf::Message& message) {
  const google::protobuf::UnknownFieldSet& fields =
      message.GetReflection()->GetUnknownFields(message);
  return fields.empty() ? 0 : fields.field(0).number();
}

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_UNKNOWN_FIELD_H_
