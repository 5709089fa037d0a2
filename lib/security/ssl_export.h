// placeholder
#ifndef LIB_SECURITY_SSL_EXPORT_H_
#define LIB_SECURITY_SSL_EXPORT_H_
#endif
