// The engine's values as messages of control.proto, and back.
#ifndef TIDEMARK_SERVICE_CONTROL_MESSAGES_H_
#define TIDEMARK_SERVICE_CONTROL_MESSAGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/change_counts.h"
#include "service/connection_book.h"
#include "service/control_parts.h"
#include "service/sync_book.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

void SetTime(int64_t us, google::protobuf::Timestamp* time);
void SetTime(absl::Time at, google::protobuf::Timestamp* time);
int64_t MicrosOf(const google::protobuf::Timestamp& time);  // cut to microseconds
absl::Time TimeOf(const google::protobuf::Timestamp& time);

void ToMessage(const ChangeCounts& counts, v1::RowCounts* message);
void ToMessage(const SyncEntry& sync, v1::Sync* message);
void ToMessage(const SyncFeedEvent& event, v1::SyncEvent* message);

// The record of a connection with what its scheduler and its syncs say.
void ToMessage(const ConnectionEntry& entry, const ControlParts& parts,
               v1::ConnectionRecord* message);

// A report's JSON as message: members that the message does not know are left out. INTERNAL: the
// text is no report.
absl::Status ReportToMessage(const std::string& json, v1::SyncReportDocument* message);

// INVALID_ARGUMENT (read_mask): a path that `descriptor` does not have.
absl::Status CheckMask(const google::protobuf::FieldMask& mask,
                       const google::protobuf::Descriptor& descriptor);
// Leaves of `message` what the paths of `mask` name; an empty mask leaves all.
void ApplyMask(const google::protobuf::FieldMask& mask, google::protobuf::Message* message);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_MESSAGES_H_
