// The Sync Status Report (semantics.md section 13 of the design): as JSON and for people.
#ifndef TIDEMARK_CONTROL_REPORT_H_
#define TIDEMARK_CONTROL_REPORT_H_

#include <string>

#include "nlohmann/json.hpp"
#include "pipeline/sync.h"

namespace tidemark {

// What the outcome does not know.
struct ReportNames {
  std::string connection;
  std::string source;
  std::string destination;
  bool full = false;  // the user asked for a full sync
};

// Times are RFC 3339 in UTC with seconds. Lists of what is off are [] beside
// `"conflict_detection": "off"`, `"late_detection": "off"`.
nlohmann::ordered_json SyncReport(const ReportNames& names, const SyncOutcome& outcome);

// A report as `tidemark report` prints it. Takes any JSON that SyncReport made, of any version:
// members that are missing are left out.
std::string ReportText(const nlohmann::ordered_json& report);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_REPORT_H_
