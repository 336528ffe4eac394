import ipaddr from 'ipaddr.js';
import { OutgoingFailure } from './outgoing-failure.ts';

/** Which addresses a process may call. */
export interface AddressPolicy {
  /** Opens the addresses of this machine and of private networks, and plain HTTP to them. Never where strangers configure URLs. */
  allowPrivate: boolean;
}

/** Ranges that `allowPrivate` opens. Link-local addresses, where clouds answer with credentials, stay closed. */
const PRIVATE: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/** Public addresses that serve a machine its own cloud's metadata: Azure's. */
const METADATA: ReadonlySet<string> = new Set(['168.63.129.16']);

type Kind = 'public' | 'private' | 'forbidden';

/**
 * The kind of an IP address in the standard notation. Only what is known to be public counts as public: ranges that embed an IPv4
 * address (NAT64, 6to4, Teredo) or have no meaning yet are forbidden, whatever they embed.
 */
export function kindOfAddress(address: string): Kind {
  if (!ipaddr.isValid(address)) return 'forbidden';
  const parsed = ipaddr.parse(address);
  // An IPv4 address in IPv6's notation reaches the IPv4 address.
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()) return kindOfAddress(parsed.toIPv4Address().toString());
  const range = parsed.range();
  if (PRIVATE.has(range)) return 'private';
  if (range !== 'unicast' || METADATA.has(parsed.toString())) return 'forbidden';
  if (parsed instanceof ipaddr.IPv4) return 'public';
  // 2000::/3 is all that is given to public hosts.
  return ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000 ? 'public' : 'forbidden';
}

const HTTPS_ONLY = 'only https:// URLs may be called; for development, ALLOW_PRIVATE_UPSTREAMS=1 opens http:// to private addresses';

/** Throws `forbidden_address` unless every address may be called with this protocol. */
export function checkAddresses(addresses: readonly string[], protocol: string, { allowPrivate }: AddressPolicy): void {
  for (const address of addresses) {
    const kind = kindOfAddress(address);
    if (kind === 'forbidden' || (kind === 'private' && !allowPrivate)) {
      throw new OutgoingFailure('forbidden_address', 'the host has an address that may not be called: it is private or reserved');
    }
    if (protocol !== 'https:' && kind !== 'private') throw new OutgoingFailure('forbidden_address', HTTPS_ONLY);
  }
}

/**
 * The URL, if its form is allowed: HTTPS (or HTTP, if private addresses are open), without credentials, and no literal address that may
 * not be called. The parser of URLs turns every notation of an IPv4 address (decimal, octal, hexadecimal, shortened) into the usual one.
 */
export function checkUrl(text: string, policy: AddressPolicy): URL {
  const url = URL.parse(text);
  if (!url) throw new OutgoingFailure('forbidden_address', 'the URL cannot be read');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && policy.allowPrivate)) {
    throw new OutgoingFailure('forbidden_address', HTTPS_ONLY);
  }
  if (url.username !== '' || url.password !== '') throw new OutgoingFailure('forbidden_address', 'the URL has credentials in it');
  const literal = hostOf(url);
  if (ipaddr.isValid(literal)) checkAddresses([literal], url.protocol, policy);
  return url;
}

/** The host without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: { hostname: string }): string =>
  hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
