/* Asserts the frozen layout of ABI 1.0 on the header included before it; C11 and C++20. */
#ifndef TIDEMARK_TESTS_PLUGIN_SDK_FROZEN_ABI_LAYOUT_H_
#define TIDEMARK_TESTS_PLUGIN_SDK_FROZEN_ABI_LAYOUT_H_

#ifdef __cplusplus
#define ABI_ASSERT(condition, text) static_assert(condition, text)
#define ABI_FIELD_SIZE(type, field) sizeof(type::field)
#else
#define ABI_ASSERT(condition, text) _Static_assert(condition, text)
#define ABI_FIELD_SIZE(type, field) sizeof(((type*)0)->field)
#endif

/* ABI_EXACT: the header of 1.0 itself; otherwise a later minor, whose structs may have grown. */
#ifdef ABI_EXACT
#define TIDEMARK_STRUCT(type, size) ABI_ASSERT(sizeof(type) == (size), #type " has another size");
#else
#define TIDEMARK_STRUCT(type, size) ABI_ASSERT(sizeof(type) >= (size), #type " has shrunk");
#endif
#define TIDEMARK_FIELD(type, field, offset, size)                              \
  ABI_ASSERT(offsetof(type, field) == (offset), #type "." #field " has moved"); \
  ABI_ASSERT(ABI_FIELD_SIZE(type, field) == (size), #type "." #field " has another size");
#define TIDEMARK_VALUE(name, number) ABI_ASSERT(name == (number), #name " has another number");

#include "tests/plugin_sdk/frozen/layout_1_0.inc"

/* Frozen for the life of major 1: these never grow. */
ABI_ASSERT(sizeof(tidemark_bytes) == 16, "tidemark_bytes is frozen");
ABI_ASSERT(sizeof(tidemark_value) == 16, "tidemark_value is frozen");
ABI_ASSERT(sizeof(tidemark_row_meta) == 24, "tidemark_row_meta is frozen");
ABI_ASSERT(TIDEMARK_ABI_VERSION >> 16 == 1, "another major has another frozen header");

#endif /* TIDEMARK_TESTS_PLUGIN_SDK_FROZEN_ABI_LAYOUT_H_ */
