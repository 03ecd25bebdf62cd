#include "apps/shared/output_flags.hpp"

#include "util/error.hpp"

#include <utility>

namespace cairn {

namespace {

using enum FlagType;

using Value = FlagValue;

void add_destination(std::vector<ImageRef>& destinations, const FlagValue& value) {
  auto destination = ImageRef::parse(value.text());
  if (destination.digest())
    throw Error("'{}' ends with a digest: an image is pushed under a tag", value.text());
  destinations.push_back(std::move(destination));
}

} // namespace

// clang-format would give every member of a row its own line.
// clang-format off
Flags<std::vector<ImageRef>> destination_flags() {
  return {
    {{.name = "destination", .shorthand = "d", .type = list, .group = output_group,
      .help = "Where the image is pushed: REGISTRY/REPOSITORY:TAG"},
     add_destination},
  };
}

Flags<Annotations> annotation_flags() {
  return {
    {{.name = "annotation", .type = list, .group = output_group,
      .help = "name=value, an annotation of the manifest"},
     [](Annotations& a, const Value& v) {
       const auto [name, value] = v.name_value();
       a.insert_or_assign(name, value);
     }},
  };
}

Flags<ReportOptions> report_flags() {
  return {
    {{.name = "digest-file", .group = output_group,
      .help = "The file, or https://URL, to write the digest of the image to"},
     [](ReportOptions& o, const Value& v) { o.digest_file = v.text(); }},
    {{.name = "image-name-with-digest-file", .group = output_group,
      .help = "The file to write a line REPOSITORY@DIGEST to, for each destination"},
     [](ReportOptions& o, const Value& v) { o.image_name_with_digest_file = v.text(); }},
    {{.name = "image-name-tag-with-digest-file", .group = output_group,
      .help = "The file to write a line REPOSITORY:TAG@DIGEST to, for each destination"},
     [](ReportOptions& o, const Value& v) { o.image_name_tag_with_digest_file = v.text(); }},
    {{.name = "image-url-file", .group = output_group,
      .help = "The file to write REPOSITORY:TAG of the first destination to, without a newline"},
     [](ReportOptions& o, const Value& v) { o.image_url_file = v.text(); }},
    {{.name = "images-file", .group = output_group,
      .help = "The file to write REPOSITORY:TAG@DIGEST of all destinations to, with commas between them"},
     [](ReportOptions& o, const Value& v) { o.images_file = v.text(); }},
  };
}
// clang-format on

} // namespace cairn
