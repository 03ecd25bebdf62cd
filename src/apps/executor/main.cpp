#include "apps/executor/run.hpp"

#include <unistd.h>

int main(int argc, char** argv) {
  return cairn::run_executor({argv + 1, argv + argc}, cairn::ProcessEnvironment::current(),
                             {cairn::FdRef(STDOUT_FILENO), cairn::FdRef(STDERR_FILENO)});
}
