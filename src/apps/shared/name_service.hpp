#pragma once

namespace cairn {

/// Has names found by /etc/hosts and DNS alone, whatever /etc/nsswitch.conf says: a base image that
/// is unpacked in place brings its own, which could name shared libraries for this program to
/// load. Call before any other thread is made.
void fix_name_service() noexcept;

} // namespace cairn
