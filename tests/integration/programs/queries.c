/* queries: res_query and its kin, the array of forms, for names that only the shim answers. Prints
 * what each said. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

static unsigned char answer[1024];

static void show(const char* what, int size) {
  ns_msg message;
  printf("%s ", what);
  if (size < 0) {
    printf("h_errno %d\n", h_errno);
    return;
  }
  if (ns_initparse(answer, size, &message) != 0) {
    puts("unreadable");
    return;
  }
  printf("answers %d code %d\n", ns_msg_count(message, ns_s_an),
         (int)ns_msg_getflag(message, ns_f_rcode));
}

int main(void) {
  struct __res_state state = {0};
  unsigned char query[512];
  res_ninit(&state);
  show("query A", res_query("a.example", ns_c_in, ns_t_a, answer, sizeof answer));
  show("query AAAA", res_query("a.example", ns_c_in, ns_t_aaaa, answer, sizeof answer));
  show("query MX", res_query("a.example", ns_c_in, ns_t_mx, answer, sizeof answer));
  show("search", res_search("a", ns_c_in, ns_t_a, answer, sizeof answer));
  show("querydomain", res_querydomain("a", "example", ns_c_in, ns_t_a, answer, sizeof answer));
  show("nquery", res_nquery(&state, "a.example", ns_c_in, ns_t_a, answer, sizeof answer));
  show("nsearch", res_nsearch(&state, "a.example", ns_c_in, ns_t_a, answer, sizeof answer));
  show("nquerydomain",
       res_nquerydomain(&state, "a", "example", ns_c_in, ns_t_a, answer, sizeof answer));
  show("empty label", res_query("a..b", ns_c_in, ns_t_a, answer, sizeof answer));
  show("PTR", res_query("1.2.0.192.in-addr.arpa", ns_c_in, ns_t_ptr, answer, sizeof answer));
  int size = res_mkquery(QUERY, "a.example", ns_c_in, ns_t_a, NULL, 0, NULL, query, sizeof query);
  show("send", res_send(query, size, answer, sizeof answer));
  show("nsend", res_nsend(&state, query, size, answer, sizeof answer));
  show("small", res_send(query, size, answer, 40));
  return 0;
}
