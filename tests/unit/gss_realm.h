// The Kerberos realm that tests of the GSS-API method run in, given by the environment.
#ifndef TESTS_UNIT_GSS_REALM_H_
#define TESTS_UNIT_GSS_REALM_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace socksify {

inline constexpr char kRealmHost[] =
    "localhost";  // has keys for socks and rcmd; alice has a ticket

// A missing realm is a failure, not a skip: these are the tests that matter most.
class RealmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* variable : {"KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME"}) {
      ASSERT_NE(getenv(variable), nullptr)
          << "no Kerberos realm in the environment (" << variable
          << " is not set): use `tests/support/realm.py run -- build/unit-tests`";
    }
  }
};

// Sets a variable for as long as it lives.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = getenv(name)) old_ = old;
    setenv(name, value.c_str(), 1);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() {
    if (old_) {
      setenv(name_, old_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace socksify

#endif  // TESTS_UNIT_GSS_REALM_H_
