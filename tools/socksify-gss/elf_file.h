// What an executable's first octets say about it.
#ifndef TOOLS_SOCKSIFY_GSS_ELF_FILE_H_
#define TOOLS_SOCKSIFY_GSS_ELF_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

namespace socksify {

struct ExecutableHead {
  enum class Kind : uint8_t { kElf, kScript, kText, kUnknown };
  Kind kind = Kind::kUnknown;

  // kElf
  uint8_t elf_class = 0;    // ELFCLASS32, ELFCLASS64
  uint8_t byte_order = 0;   // ELFDATA2LSB, ELFDATA2MSB
  uint16_t machine = 0;     // EM_X86_64
  std::string interpreter;  // PT_INTERP; empty: statically linked (or of another class)

  // kScript: the "#!" line; the kernel passes all behind the interpreter as one argument.
  std::string script_interpreter;
  std::string script_argument;
};

// Reads the head of the file. Nothing when it cannot be read; errno says why.
std::optional<ExecutableHead> ReadExecutableHead(const std::string& path);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_ELF_FILE_H_
