#include "lib/engine/datagram_codec.h"

#include <utility>

#include "lib/wire/datagram.h"

namespace socksify {

Status SealDatagram(SecurityLayer& layer, const Address& address, ByteView data, Bytes* datagram) {
  if (data.size() > MaxDatagramData(layer, address)) return DatagramTooLarge(data.size());
  Bytes plain;
  plain.reserve(DatagramHeadSize(address) + data.size());
  if (Status status = AppendDatagramHead(plain, address); !status.ok()) return status;
  Append(plain, data);
  return layer.SealDatagram(plain, datagram);
}

Result<Datagram> OpenDatagram(SecurityLayer& layer, ByteSpan datagram) {
  auto plain = layer.OpenDatagram(datagram);
  if (!plain.ok()) return plain.status();
  auto head = ParseDatagramHead(*plain);
  if (!head.ok()) return head.status();
  return Datagram{std::move(head->address), plain->subspan(head->size)};
}

size_t MaxDatagramData(const SecurityLayer& layer, const Address& address) {
  const size_t head = DatagramHeadSize(address), most = layer.MaxDatagram();
  return most > head ? most - head : 0;
}

}  // namespace socksify
