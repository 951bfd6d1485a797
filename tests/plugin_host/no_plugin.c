/* A shared library that is no plugin. */
int tidemark_test_no_plugin(void);
int tidemark_test_no_plugin(void) { return 0; }
