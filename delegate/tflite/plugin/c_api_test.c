/* This is an app written in C that includes the public header. */

#include <stdio.h>

#include "delegate/tflite/mcpruner_delegate.h"

int main(void) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  struct TfLiteDelegate* delegate;
  options.backend = "reference";
  delegate = McprunerDelegateCreate(&options);
  if (delegate == NULL || McprunerDelegateReportJson(delegate, NULL, 0) == 0) {
    fprintf(stderr, "expected a delegate with a report\n");
    return 1;
  }
  McprunerDelegateDelete(delegate);
  options.struct_size = 0;
  if (McprunerDelegateCreate(&options) != NULL) {
    fprintf(stderr, "expected no delegate from a struct that nobody filled\n");
    return 1;
  }
  return 0;
}
