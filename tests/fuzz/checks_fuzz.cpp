#include "builder/plan/checks/check.hpp"
#include "util/error.hpp"
#include "util/json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace cairn;

namespace {

/// Every image is there, and empty.
class AnyBase final : public BaseConfigs {
public:
  void prefetch(const std::vector<ImageSource>&) override {}
  ImageConfig config(const ImageSource& image) override {
    ImageConfig config;
    config.platform = image.platform;
    return config;
  }
};

/// What a report promises for every Dockerfile.
void look_at(const CheckReport& report) {
  const int lines = static_cast<int>(report.source.lines.size());
  for (const auto& warning : report.warnings)
    if (warning.range.first < 1 || warning.range.last < warning.range.first ||
        warning.range.last > lines || warning.detail.empty())
      std::abort();
  (void)check_text(report);
  const auto json = Json::parse(check_json(report));
  if (json.find("warnings")->as_array().size() != report.warnings.size())
    std::abort();
}

} // namespace

/// The first line is BUILDKIT_DOCKERFILE_CHECK unless it is empty, the second an ignore pattern,
/// the rest the Dockerfile.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const auto take_line = [&] {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.erase(0, end + 1);
    return line;
  };
  CheckRequest request;
  request.name = "Dockerfile";
  if (auto options = take_line(); !options.empty())
    request.options.language.build_args.emplace_back("BUILDKIT_DOCKERFILE_CHECK",
                                                     std::move(options));
  request.ignore = parse_ignore_file(take_line());
  request.text = std::move(text);
  try {
    AnyBase bases;
    SilentProgress progress;
    look_at(check_dockerfile(std::move(request), bases, progress));
  } catch (const Error&) {
    // Options that cannot be understood.
    return 0;
  }
  return 0;
}
