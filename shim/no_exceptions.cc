// Nothing is thrown in the shim, and nothing caught: the process ends instead. What libstdc++ would
// do it with is replaced here: at the start of every program its own would take memory, and
// hundreds of relocations for the names of what is thrown. Not with a sanitizer, which has its own
// operators for the memory.
#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

void* Allocate(size_t size) { return malloc(std::max(size, size_t{1})); }

void* AllocateOrDie(size_t size) {
  void* memory = Allocate(size);
  if (memory == nullptr) abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return AllocateOrDie(size); }
void* operator new[](size_t size) { return AllocateOrDie(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

namespace std {
const nothrow_t nothrow{};
void __throw_bad_alloc() { abort(); }
void __throw_bad_array_new_length() { abort(); }
void __throw_bad_function_call() { abort(); }
void __throw_length_error(const char*) { abort(); }
void __throw_logic_error(const char*) { abort(); }
void __throw_out_of_range(const char*) { abort(); }
void __throw_out_of_range_fmt(const char*, ...) { abort(); }
}  // namespace std

// For the parts of libstdc++ that are compiled with exceptions.
extern "C" {
void* __cxa_allocate_exception(size_t) noexcept { abort(); }
void __cxa_throw(void*, void*, void (*)(void*)) { abort(); }
int __gxx_personality_v0() { abort(); }
}
