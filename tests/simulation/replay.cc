#include "tests/simulation/replay.h"

#include <algorithm>
#include <string>

namespace tidemark {

namespace {

bool Uses(const ReferenceModel& model, const SourceChange& change, const std::string& key) {
  const std::vector<std::string> keys = model.KeysOf(change);
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool MovesFrom(const ReferenceModel& model, const SourceChange& change, uint32_t table,
               const std::string& key) {
  return change.table == table && change.before.has_value() &&
         model.KeyOf(table, *change.before) == key;
}

}  // namespace

bool MayComeAgain(const ReferenceModel& model, const std::vector<const SourceChange*>& piece,
                  const std::vector<const SourceChange*>& following, bool stamped) {
  for (size_t i = 0; i < piece.size(); ++i) {
    const SourceChange& change = *piece[i];
    if (change.kind != ChangeKind::kUpdate || !change.before.has_value()) continue;
    const std::string to = model.KeyOf(change.table, change.row);
    const std::string from = model.KeyOf(change.table, *change.before);
    const bool whole = ReferenceModel::IsWholeKeyChange(change);
    if (whole && stamped) continue;
    if (whole) {
      const auto moves_on = [&](const SourceChange* next) {
        return MovesFrom(model, *next, change.table, to);
      };
      const auto later = piece.begin() + static_cast<std::ptrdiff_t>(i + 1);
      if (std::any_of(later, piece.end(), moves_on)) return false;
      if (std::any_of(following.begin(), following.end(), moves_on)) return false;
      continue;
    }
    for (size_t j = 0; j < piece.size(); ++j) {
      if (j == i || piece[j]->table != change.table) continue;
      if (Uses(model, *piece[j], from)) return false;
      if (j < i && Uses(model, *piece[j], to)) return false;
    }
  }
  return true;
}

}  // namespace tidemark
