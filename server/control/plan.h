// What a sync would change at the destination, found without writing.
#ifndef TIDEMARK_CONTROL_PLAN_H_
#define TIDEMARK_CONTROL_PLAN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/engine.h"
#include "nlohmann/json.hpp"

namespace tidemark {

struct SyncPlan {
  struct Table {
    std::string table;  // source name
    std::string destination_table;
    bool selected = true;
    std::vector<std::string> changes;  // "create table", "add column age LONG", ...
    std::string sync_type;             // full, incremental
    std::string from;                  // the cursor it goes on from; may be empty
  };
  std::string connection;
  std::string destination;  // path of the database file
  bool destination_exists = false;
  std::vector<Table> tables;
  std::vector<std::string> notices;
};

absl::StatusOr<SyncPlan> MakePlan(Engine& engine);
nlohmann::ordered_json PlanJson(const SyncPlan& plan);
std::string PlanText(const SyncPlan& plan);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_PLAN_H_
