// Settings of tables: from a connection file to the pipeline's rules.
#ifndef TIDEMARK_CONTROL_TABLE_SETTINGS_H_
#define TIDEMARK_CONTROL_TABLE_SETTINGS_H_

#include <vector>

#include "control/configuration_check.h"
#include "pipeline/sync.h"

namespace tidemark {

// The rule of one listed table, with `defaults` where the file says nothing. Appends what is wrong
// with it to `problems`.
TableRule ReadTableRule(const CheckedConfiguration::Table& table, const TableRule& defaults,
                        std::vector<ConfigurationProblem>* problems);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_TABLE_SETTINGS_H_
