#pragma once

#include "util/error.hpp"

namespace cairn {

/// The registry refuses to move a tag (kaniko --push-ignore-immutable-tag-errors).
class ImmutableTag : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw ImmutableTag(*this); }
};

/// The registry does not have what was asked for.
class NotInRegistry : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw NotInRegistry(*this); }
};

/// The bytes of a blob are not those that its descriptor promises.
class DigestMismatch : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw DigestMismatch(*this); }
};

/// A part of a blob was asked for, and what came is not that part.
class RangeRefused : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw RangeRefused(*this); }
};

} // namespace cairn
