// These backends fail where a test wants them to, to see what becomes of it:
//
//     none
//     opencl_create   the opencl backend cannot be made: the cpu backend runs
//     opencl_wrong    no device passes the self-check: the cpu backend runs
//     opencl_compile  the opencl backend refuses a partition: the cpu backend runs it
//     opencl_run      the opencl backend fails in an inference: the cpu backend runs it, and those that follow
//     cpu_create      the cpu backend cannot be made: the reference backend runs
//     cpu_compile     the cpu backend refuses a partition: the reference backend runs it
//     allocate        memory runs out while a partition is prepared, on any backend: allocation fails with a sentence
//     invoke          an exception leaves the backend: the inference fails with a sentence

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_FAULTY_BACKENDS_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_FAULTY_BACKENDS_H_

#include <memory>
#include <string>

#include "delegate/tflite/run/backend_factory.h"

namespace mcpruner {

// Returns a factory of what `good` makes, with one of the faults above. The error lists them.
Result<std::unique_ptr<BackendFactory>> MakeFaultyBackends(
    const std::string& fault, std::unique_ptr<BackendFactory> good = std::make_unique<BackendFactory>());

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_FAULTY_BACKENDS_H_
