// For tests of connectors, without a server: RecordingSink collects changes, RunConformance tries
// the rules. Works through the C table, so for plugins in any language. Not for plugins themselves.
//
//   TEST(Squares, Conforms) {
//     EXPECT_EQ("", tidemark_testing::Failures(tidemark_testing::RunConformance(
//                       *tidemark_plugin_entry_v1(), {{"limit", "100"}})));
//   }
#ifndef TIDEMARK_TESTING_H_
#define TIDEMARK_TESTING_H_

#include "tidemark/testing/conformance.h"     // IWYU pragma: export
#include "tidemark/testing/plugin_run.h"      // IWYU pragma: export
#include "tidemark/testing/recording.h"       // IWYU pragma: export
#include "tidemark/testing/recording_sink.h"  // IWYU pragma: export
#include "tidemark/testing/settings.h"        // IWYU pragma: export

#endif  // TIDEMARK_TESTING_H_
