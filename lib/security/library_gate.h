// Whoever is inside GSS-API or GnuTLS holds a LibraryGate, so that the process can end under other
// threads: exit runs the destructors of those libraries, which destroy what a call would use. This
// library depends on them, so its own destructor runs before theirs: it closes the gate, and waits
// a moment for those inside. Who comes later stays at the gate for as long as the process lasts.
// Private to lib/security.
#ifndef LIB_SECURITY_LIBRARY_GATE_H_
#define LIB_SECURITY_LIBRARY_GATE_H_

namespace socksify {

// Nests. Take no lock inside it that the ending thread could need.
class LibraryGate {
 public:
  LibraryGate();
  ~LibraryGate();
  LibraryGate(const LibraryGate&) = delete;
  LibraryGate& operator=(const LibraryGate&) = delete;
};

}  // namespace socksify

#endif  // LIB_SECURITY_LIBRARY_GATE_H_
