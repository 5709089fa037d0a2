// A counted reference to a Connection.
#ifndef SHIM_CONNECTION_REF_H_
#define SHIM_CONNECTION_REF_H_

#include <utility>

namespace socksify {

class Connection;

class ConnectionRef {
 public:
  ConnectionRef() = default;
  // Adopts one count.
  explicit ConnectionRef(Connection* connection) : connection_(connection) {}
  ConnectionRef(const ConnectionRef& other);
  ConnectionRef(ConnectionRef&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  ConnectionRef& operator=(ConnectionRef other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~ConnectionRef() {
    if (connection_ != nullptr) Drop();
  }

  explicit operator bool() const { return connection_ != nullptr; }
  Connection* get() const { return connection_; }
  Connection* operator->() const { return connection_; }
  Connection& operator*() const { return *connection_; }
  // Gives the count away.
  Connection* Release() { return std::exchange(connection_, nullptr); }

 private:
  void Drop();

  Connection* connection_ = nullptr;
};

}  // namespace socksify

#endif  // SHIM_CONNECTION_REF_H_
