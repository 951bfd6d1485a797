// The copy of the header of ABI 1.0 was not edited, in C++20.
#define ABI_EXACT
#include "tests/plugin_sdk/frozen/plugin_abi_1_0.h"
//
#include "tests/plugin_sdk/frozen/abi_layout.h"
