// What a message would take in memory, told from its bytes before anything of it is parsed.
#ifndef TIDEMARK_WIRE_PARSED_SIZE_H_
#define TIDEMARK_WIRE_PARSED_SIZE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace google::protobuf {
class Descriptor;
}
namespace grpc {
class ByteBuffer;
}

namespace tidemark {

// Two bytes on the wire may be 300 in memory: an empty element of a list. Who takes messages from
// others asks here before he parses them.
//
// Of one type of message and whatever may stand in it; made once, then constant. Thread-safe.
class ParsedSize {
 public:
  enum class Verdict { kFits, kTooLarge, kMalformed };

  explicit ParsedSize(const google::protobuf::Descriptor& type);

  // kTooLarge: `bytes` would parse into more than `limit` bytes of generated messages, on the heap
  // or an arena. The estimate is not below what they take. kMalformed: they are no message of the
  // type, and must not be parsed; texts are not looked into, so that a parser may still refuse what
  // fits. Walks the bytes up to the limit and allocates nothing; where the worst bytes of that
  // length would fit, nothing is walked.
  Verdict Check(const grpc::ByteBuffer& bytes, size_t limit) const;

 private:
  friend class ParsedSizeWalk;
  struct Field {
    enum class Kind : uint8_t { kUnknown, kNumber, kText, kMessage };
    Kind kind = Kind::kUnknown;
    uint8_t wire_type = 0;     // of an element
    uint32_t packed_cost = 0;  // of a byte of packed numbers; 0: may not be packed
    size_t cost = 0;           // of an element; of a text without its bytes
    size_t type = 0;           // of kMessage: in types_
  };
  using Type = std::vector<Field>;  // by number; the numbers of our protos are small

  size_t Add(const google::protobuf::Descriptor& type,
             std::map<const google::protobuf::Descriptor*, size_t>* added);

  std::vector<Type> types_;  // the first one is the message itself
  size_t empty_ = 0;         // bytes of the message itself
  size_t worst_ = 0;         // bytes of memory that one byte on the wire may make
};

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_PARSED_SIZE_H_
