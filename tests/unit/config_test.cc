// The table of settings: every value of every setting, and what each refuses.
#include "lib/config/config.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lib/config/settings.h"

namespace socksify {
namespace {

std::string RoundTrip(const char* option, std::string_view text) {
  const Setting* setting = FindSetting(option);
  Config config;
  Status status = setting->parse(text, config);
  EXPECT_TRUE(status.ok()) << option << ": " << status.message();
  const std::string printed = setting->print(config);
  Config again;
  EXPECT_TRUE(setting->parse(printed, again).ok());
  EXPECT_EQ(setting->print(again), printed);
  return printed;
}

// The message, or "" when the value was taken. A refused value must change nothing.
std::string Refusal(const char* option, std::string_view text) {
  const Setting* setting = FindSetting(option);
  Config config;
  const std::string before = setting->print(config);
  Status status = setting->parse(text, config);
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), Errc::kConfig);
  EXPECT_EQ(setting->print(config), before);
  return status.message();
}

TEST(EndpointTest, ToString) {
  EXPECT_EQ((ServerEndpoint{"proxy.example.com", 1080}).ToString(), "proxy.example.com:1080");
  EXPECT_EQ((ServerEndpoint{"192.0.2.1", 1}).ToString(), "192.0.2.1:1");
  EXPECT_EQ((ServerEndpoint{"2001:db8::1", 65535}).ToString(), "[2001:db8::1]:65535");
}

TEST(SettingsTest, TheTableIsSound) {
  std::set<std::string> options, variables;
  std::set<char> letters;
  for (const Setting& setting : Settings()) {
    if (setting.option[0] != '\0') {
      EXPECT_TRUE(options.insert(setting.option).second) << setting.option;
      EXPECT_EQ(FindSetting(setting.option), &setting);
      // The variable is the option in capitals.
      std::string expected = "SOCKSIFY_";
      for (const char* c = setting.option; *c != '\0'; c++) {
        expected += *c == '-' ? '_' : static_cast<char>(toupper(*c));
      }
      EXPECT_EQ(setting.variable, expected);
    }
    EXPECT_TRUE(variables.insert(setting.variable).second) << setting.variable;
    if (setting.letter != 0) {
      EXPECT_TRUE(letters.insert(setting.letter).second) << setting.letter;
    }
    EXPECT_EQ(setting.parse == nullptr, setting.kind == Setting::Kind::kFile);
    EXPECT_EQ(setting.print == nullptr, setting.kind == Setting::Kind::kFile);
    EXPECT_NE(setting.help[0], '\0');
  }
  EXPECT_EQ(FindSetting(""), nullptr);
  EXPECT_EQ(FindSetting("nothing"), nullptr);
}

TEST(SettingsTest, DefaultsInTheTableAreTheDefaultsOfConfig) {
  for (const Setting& setting : Settings()) {
    if (setting.print == nullptr || setting.option == std::string("bypass")) continue;
    EXPECT_EQ(setting.print(Config()), setting.fallback) << setting.variable;
  }
}

TEST(SettingsTest, Servers) {
  EXPECT_EQ(RoundTrip("server", "proxy"), "proxy:1080");
  EXPECT_EQ(RoundTrip("server", "proxy.example.com:1"), "proxy.example.com:1");
  EXPECT_EQ(RoundTrip("server", "192.0.2.1:65535"), "192.0.2.1:65535");
  EXPECT_EQ(RoundTrip("server", "[2001:db8::1]"), "[2001:db8::1]:1080");
  EXPECT_EQ(RoundTrip("server", " a , [::1]:99 ,b:2"), "a:1080,[::1]:99,b:2");
  EXPECT_EQ(RoundTrip("server", ""), "");
  for (const char* text :
       {"a:0",         "a:65536", "a:",         "a:b", "a:-1",   "a: 80",
        ":80",         "::1",     "[::1",       "[a]", "[::1]x", "[::1]:",
        "[192.0.2.1]", "a b",     "socks5://a", "a/b", "u@h",    "300.300.300.300",
        "a,b,a:1080",  "a,,b,*"}) {
    EXPECT_NE(Refusal("server", text), "") << text;
  }
  EXPECT_NE(Refusal("server", "2001:db8::1").find("brackets"), std::string::npos);
}

TEST(SettingsTest, Methods) {
  EXPECT_EQ(RoundTrip("methods", "gssapi"), "gssapi");
  EXPECT_EQ(RoundTrip("methods", "none,userpass,chap,ssl,gssapi"),
            "none,userpass,chap,ssl,gssapi");  // in this order
  EXPECT_EQ(RoundTrip("subauth", "chap,none"), "chap,none");
  EXPECT_EQ(RoundTrip("subauth", ""), "");
  for (const char* text : {"", ",", "GSSAPI", "gssapi,gssapi", "gssapi krb5", "gss", "unknown"}) {
    EXPECT_NE(Refusal("methods", text), "") << text;
  }
  for (const char* text : {"gssapi", "ssl", "none,none"}) EXPECT_NE(Refusal("subauth", text), "");
}

TEST(SettingsTest, Choices) {
  const std::pair<const char*, std::vector<const char*>> choices[] = {
      {"protection", {"integrity", "confidentiality", "selective"}},
      {"gss-delegate", {"policy", "always", "never"}},
      {"gss-nec", {"0", "1"}},
      {"ssl-method", {"0x86", "0x06", "both"}},
      {"gss-fast-path", {"0", "1"}},
      {"ssl-udp-naked", {"0", "1"}},
      {"dns", {"remote", "local"}},
      {"udp", {"relay", "block", "direct"}},
      {"bind", {"0", "1"}},
      {"log", {"error", "warn", "info", "debug", "quiet"}}};
  for (const auto& [option, values] : choices) {
    for (const char* value : values) EXPECT_EQ(RoundTrip(option, value), value);
    for (const char* value : {"", "yes", "2", "Confidentiality", "none", "remote,local", " 1"}) {
      EXPECT_NE(Refusal(option, value), "") << option << " " << value;
    }
  }
  EXPECT_EQ(Refusal("dns", "yes"), "'yes' is none of remote, local");
}

TEST(SettingsTest, Services) {
  EXPECT_EQ(RoundTrip("gss-service", "socks, rcmd"), "socks,rcmd");
  EXPECT_EQ(RoundTrip("gss-service", "socks/proxy.example.com@EXAMPLE.COM"),
            "socks/proxy.example.com@EXAMPLE.COM");
  for (const char* text : {"", ",", "socks@host", "socks,socks"}) {
    EXPECT_NE(Refusal("gss-service", text), "") << text;
  }
}

TEST(SettingsTest, Timeout) {
  for (const char* text : {"1", "30", "86400"}) EXPECT_EQ(RoundTrip("timeout", text), text);
  for (const char* text : {"", "0", "00", "-1", "+1", "1.5", "1s", " 1", "86401", "4294967297",
                           "99999999999999999999999999"}) {
    EXPECT_NE(Refusal("timeout", text), "") << text;
  }
}

TEST(SettingsTest, TextsTakeNoControlCharacters) {
  for (const char* option : {"tls-ca", "tls-name", "tls-priority", "user", "log-file"}) {
    EXPECT_EQ(RoundTrip(option, "a b#c=d"), "a b#c=d");
    EXPECT_NE(Refusal(option, "a\nb"), "");
    EXPECT_NE(Refusal(option, std::string_view("a\0b", 3)), "");
  }
  EXPECT_NE(Refusal("user", std::string(256, 'u')), "");
  EXPECT_EQ(RoundTrip("user", std::string(255, 'u')), std::string(255, 'u'));
}

}  // namespace
}  // namespace socksify
