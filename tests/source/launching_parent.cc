// launching_parent HOST PLUGIN MODE: begins a sync of the misbehaving plugin, writes the number of
// the child's session to stdout after the first event, and waits to be killed.
#include <stdio.h>
#include <unistd.h>

#include <string>

#include "source/connector_launch.h"
#include "tests/source/proc_scan.h"
#include "tests/source/test_settings.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  tidemark::ConnectorLaunch launch;
  launch.label = "plugin misbehaving";
  launch.sandbox.enabled = std::string(argv[3]) != "leave_child";  // which forks
  launch.settings = tidemark::ToSettings({{"mode", argv[3]}, {"after_rows", int64_t{10}}});
  auto source = tidemark::LaunchChild(launch, {argv[1], argv[2]});
  if (!source.ok() || !(*source)->Schema().ok()) return 1;
  tidemark::UpdateStart start;
  start.selections.resize(1);
  if (!(*source)->Start(start).ok()) return 1;
  if (!(*source)->Next(absl::InfiniteFuture()).ok()) return 1;
  // Past the checkpoint, the plugin does what it was asked for.
  if (!(*source)->Next(absl::InfiniteFuture()).ok()) return 1;
  const auto children = tidemark::OwnChildren();
  if (children.size() != 1) return 1;
  printf("%d\n", static_cast<int>(children[0]));
  fflush(stdout);
  while (true) pause();
}
