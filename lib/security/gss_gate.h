// Whoever is inside GSS-API holds a GssGate, so that the process can end under other threads: exit
// runs the destructors of libgssapi and libkrb5, which destroy locks that a call would take. This
// library depends on those two, so its own destructor runs before theirs: it closes the gate, and
// waits a moment for those inside. Who comes later stays at the gate for as long as the process
// lasts. Private to security/gss_*.
#ifndef LIB_SECURITY_GSS_GATE_H_
#define LIB_SECURITY_GSS_GATE_H_

namespace socksify {

// Nests. Take no lock inside it that the ending thread could need.
class GssGate {
 public:
  GssGate();
  ~GssGate();
  GssGate(const GssGate&) = delete;
  GssGate& operator=(const GssGate&) = delete;
};

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_GATE_H_
