// scenario_test [--out=FOLDER] [PATH...]: the scenarios of the folder, or those named, as tests.
#include <cstring>
#include <gtest/gtest.h>
#include <harness/gtest/register_scenarios.h>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  netrig::ScenarioTestOptions options;
  options.suite = "Greeting";
  bool any = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--out=", 6) == 0) {
      options.output = argv[i] + 6;
    } else if (std::strncmp(argv[i], "--backend=", 10) == 0) {
      options.backends = {argv[i] + 10};
    } else {
      netrig::register_scenarios(argv[i], options);
      any = true;
    }
  }
  if (!any) netrig::register_scenarios("scenarios", options);
  return RUN_ALL_TESTS();
}
