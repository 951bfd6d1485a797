#include "service/method_rules.h"

namespace tidemark {
namespace {

constexpr Role kViewer = Role::kViewer;
constexpr Role kOperator = Role::kOperator;
constexpr Role kEditor = Role::kEditor;
constexpr Role kAdmin = Role::kAdmin;
constexpr CallScope kNone = CallScope::kNone;
constexpr CallScope kServer = CallScope::kServer;
constexpr CallScope kField = CallScope::kField;
constexpr CallScope kEach = CallScope::kEach;
constexpr CallScope kLater = CallScope::kLater;
constexpr bool kChanges = true;
constexpr bool kReads = false;
constexpr bool kSlow = true;

constexpr MethodRule kRules[] = {
    {"/tidemark.v1.Control/GetServer", kViewer, kNone, ""},

    {"/tidemark.v1.Control/ListConnections", kViewer, kEach, ""},
    {"/tidemark.v1.Control/GetConnection", kViewer, kField, "name"},
    {"/tidemark.v1.Control/ApplyConnection", kEditor, kLater, "", kChanges},
    {"/tidemark.v1.Control/DeleteConnection", kEditor, kField, "name", kChanges},
    {"/tidemark.v1.Control/PauseConnection", kOperator, kField, "name", kChanges},
    {"/tidemark.v1.Control/ResumeConnection", kOperator, kField, "name", kChanges},
    {"/tidemark.v1.Control/CheckConnection", kOperator, kField, "name", kReads, kSlow},
    {"/tidemark.v1.Control/PlanConnection", kOperator, kField, "name", kReads, kSlow},
    {"/tidemark.v1.Control/ListTables", kOperator, kField, "connection", kReads, kSlow},
    {"/tidemark.v1.Control/PreviewTable", kEditor, kField, "connection", kReads, kSlow},

    {"/tidemark.v1.Control/ListPlugins", kViewer, kNone, "", kReads, kSlow},
    {"/tidemark.v1.Control/DescribePlugin", kViewer, kNone, "id", kReads, kSlow},

    {"/tidemark.v1.Control/StartSync", kOperator, kField, "connection", kChanges},
    {"/tidemark.v1.Control/StopSync", kOperator, kLater, "sync_id", kChanges},
    {"/tidemark.v1.Control/ListSyncs", kViewer, kEach, "connection"},
    {"/tidemark.v1.Control/GetSync", kViewer, kLater, "sync_id"},
    {"/tidemark.v1.Control/WatchSync", kViewer, kLater, "sync_id"},
    {"/tidemark.v1.Control/GetReport", kViewer, kLater, "sync_id"},

    {"/tidemark.v1.Control/ListStateVersions", kViewer, kField, "connection", kReads, kSlow},
    {"/tidemark.v1.Control/GetState", kOperator, kField, "connection", kReads, kSlow},
    {"/tidemark.v1.Control/DiffState", kOperator, kField, "connection", kReads, kSlow},
    {"/tidemark.v1.Control/RollbackState", kOperator, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/RepairState", kOperator, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/MigrateState", kOperator, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/ResetState", kEditor, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/ImportState", kEditor, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/RestoreState", kEditor, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/ValidateState", kOperator, kField, "connection", kReads, kSlow},
    {"/tidemark.v1.Control/BackupState", kOperator, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/ExportState", kOperator, kField, "connection", kReads, kSlow},

    {"/tidemark.v1.Control/ListDeadLetters", kOperator, kField, "connection", kReads, kSlow},
    {"/tidemark.v1.Control/GetDeadLetter", kOperator, kField, "connection", kReads, kSlow},
    {"/tidemark.v1.Control/EditDeadLetter", kOperator, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/ReplayDeadLetters", kOperator, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/DiscardDeadLetters", kOperator, kField, "connection", kChanges, kSlow},
    {"/tidemark.v1.Control/ListConflicts", kOperator, kField, "connection"},
    {"/tidemark.v1.Control/Verify", kOperator, kField, "connection", kChanges, kSlow},

    {"/tidemark.v1.Control/CreateToken", kAdmin, kServer, "role", kChanges},
    {"/tidemark.v1.Control/ListTokens", kAdmin, kServer, ""},
    {"/tidemark.v1.Control/RevokeToken", kAdmin, kServer, "id", kChanges},
    {"/tidemark.v1.Control/SetSecret", kAdmin, kServer, "name", kChanges},
    {"/tidemark.v1.Control/ListSecrets", kAdmin, kServer, ""},
    {"/tidemark.v1.Control/DeleteSecret", kAdmin, kServer, "name", kChanges},
    {"/tidemark.v1.Control/RotateMasterKey", kAdmin, kServer, "", kChanges},
    {"/tidemark.v1.Control/ListAudit", kAdmin, kServer, ""},
    {"/tidemark.v1.Control/VerifyAudit", kAdmin, kServer, ""},
    {"/tidemark.v1.Control/AcceptAudit", kAdmin, kServer, "", kChanges},

    // The connection stands in the stream's first message.
    {"/tidemark.v1.Ingest/Push", kEditor, kLater, "", kChanges, kSlow},
};

}  // namespace

absl::Span<const MethodRule> MethodRules() { return kRules; }

const MethodRule* FindMethodRule(absl::string_view method) {
  for (const MethodRule& rule : kRules) {
    if (method == rule.method) return &rule;
  }
  return nullptr;
}

}  // namespace tidemark
