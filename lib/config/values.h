// Readers and printers of setting values, each made from the Config member it serves. For the table
// in settings.cc only.
//
// A reader fails with kConfig and a sentence about the value; it changes nothing then.
#ifndef LIB_CONFIG_VALUES_H_
#define LIB_CONFIG_VALUES_H_

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/config/text.h"

namespace socksify {

template <typename T>
struct NamedValue {
  const char* name;
  T value;
};

inline std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// "'x' is none of a, b, c".
template <typename Names>
Status NoneOf(std::string_view text, const Names& names) {
  std::string message = text.empty() ? "empty; wanted is one of" : Quoted(text) + " is none of";
  const char* separator = " ";
  for (const auto& named : names) {
    message += separator;
    message += named.name;
    separator = ", ";
  }
  return {Errc::kConfig, std::move(message)};
}

template <auto member, const auto& names>
Status ParseChoiceOf(std::string_view text, Config& config) {
  for (const auto& named : names) {
    if (text == named.name) {
      config.*member = named.value;
      return {};
    }
  }
  return NoneOf(text, names);
}

template <auto member, const auto& names>
std::string PrintChoiceOf(const Config& config) {
  for (const auto& named : names) {
    if (config.*member == named.value) return named.name;
  }
  return "";
}

// An ordered list without repetitions.
template <auto member, const auto& names, bool may_be_empty>
Status ParseListOf(std::string_view text, Config& config) {
  auto list = config.*member;
  list.clear();
  for (std::string_view item : SplitList(text)) {
    const auto* named = std::begin(names);
    while (named != std::end(names) && item != named->name) ++named;
    if (named == std::end(names)) return NoneOf(item, names);
    for (const auto& earlier : list) {
      if (earlier == named->value) return {Errc::kConfig, Quoted(item) + " is listed twice"};
    }
    list.push_back(named->value);
  }
  if (list.empty() && !may_be_empty) return NoneOf("", names);
  config.*member = std::move(list);
  return {};
}

template <auto member, const auto& names>
std::string PrintListOf(const Config& config) {
  std::string text;
  for (const auto& value : config.*member) {
    for (const auto& named : names) {
      if (named.value == value) text += std::string(text.empty() ? "" : ",") + named.name;
    }
  }
  return text;
}

template <std::string Config::*member>
Status ParseText(std::string_view text, Config& config) {
  // What no file name, user name or TLS priority holds, and what would break a printed line.
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return {Errc::kConfig, "holds a control character"};
    }
  }
  config.*member = text;
  return {};
}

template <std::string Config::*member>
std::string PrintText(const Config& config) {
  return config.*member;
}

template <bool Config::*member>
Status ParseFlag(std::string_view text, Config& config) {
  if (text != "0" && text != "1") return {Errc::kConfig, Quoted(text) + " is neither 0 nor 1"};
  config.*member = text == "1";
  return {};
}

template <bool Config::*member>
std::string PrintFlag(const Config& config) {
  return config.*member ? "1" : "0";
}

}  // namespace socksify

#endif  // LIB_CONFIG_VALUES_H_
