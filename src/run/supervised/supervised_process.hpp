#pragma once

#include "run/supervised/call_listener.hpp"

#include <linux/filter.h>

#include <span>

namespace cairn {

/// Puts the calling process under a filter and hands the listener to the executor, as a descriptor
/// on `socket` (run/process/handshake.hpp). The process keeps none of its own. Gives up on failure,
/// with SetupStep::filter_calls. Async-signal-safe.
void submit_to_filter(int socket, std::span<const sock_filter> filter, StoppedWait wait) noexcept;

} // namespace cairn
