/* The header of today keeps the layout of ABI 1.0, in C11. */
#include "tidemark/plugin_abi.h"

#include "tests/plugin_sdk/frozen/abi_layout.h"

