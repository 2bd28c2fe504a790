#pragma once
// The folder of one run: made, or emptied of what an earlier run of netrig left there, so that
// nothing in it is ever of another run.

#include <string>

namespace netrig {

// Other people's files stay. The error is a sentence ("cannot write out/x/real-1: Permission
// denied"); empty if all is well.
std::string prepare_output_folder(const std::string& path);

}  // namespace netrig
