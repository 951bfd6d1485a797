// Stored dead letters as a source of changes, so that a replay is a sync like any other.
#ifndef TIDEMARK_CONTROL_LETTER_SOURCE_H_
#define TIDEMARK_CONTROL_LETTER_SOURCE_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/change_text.h"
#include "core/schema.h"
#include "destination/destination.h"
#include "destination/destination_reader.h"
#include "pipeline/change_source.h"

namespace tidemark {

// One letter that can be replayed.
struct Letter {
  StoredDeadLetter stored;
  uint32_t table = 0;  // in LetterBox::tables
  ChangeText change;
};

// What is replayed, and what came of it. Confined to the apply thread.
struct LetterBox {
  ConnectorDescription description;  // of the connector they came from
  std::vector<TableSchema> tables;
  std::vector<Letter> letters;
  const Letter* current = nullptr;  // handed out last
  std::set<int64_t> failed;         // ids that became dead letters again, durably
};

// Hands the letters out in the order they were first seen, each a batch of its own, and one
// checkpoint with the states it was given. `box` is borrowed.
std::unique_ptr<ChangeSource> OpenLetterSource(LetterBox* box);

// A destination that stores what fails under the letter it came from: another attempt of it, not
// another letter. `box` and `inner` are borrowed.
std::unique_ptr<Destination> KeepLetters(LetterBox* box, Destination* inner);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_LETTER_SOURCE_H_
