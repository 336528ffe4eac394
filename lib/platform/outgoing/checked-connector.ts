import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { type AddressPolicy, checkAddresses, hostOf } from './address-guard.ts';

/** Finds all addresses of a host. */
export type Resolver = (host: string) => Promise<readonly { address: string; family: number }[]>;

export const systemResolver: Resolver = (host) => systemLookup(host, { all: true, verbatim: true });

/**
 * Makes undici's connections. A host is resolved once for each connection, all of its addresses are checked, and the connection goes to
 * one of these: a name that has another address a moment later changes nothing.
 */
export function checkedConnector(policy: AddressPolicy, resolve: Resolver, timeoutMs: number): buildConnector.connector {
  const connectorFor = (protocol: string) => {
    const lookup: LookupFunction = (host, { all }, callback) => {
      resolve(host)
        .then((addresses) => {
          checkAddresses(
            addresses.map(({ address }) => address),
            protocol,
            policy,
          );
          const [first] = addresses;
          if (!first) throw new Error(`no address for ${host}`);
          // Node asks for all addresses where it may try one after the other.
          if (all) callback(null, [...addresses]);
          else callback(null, first.address, first.family);
        })
        .catch((error: Error) => callback(error, '', 0));
    };
    return buildConnector({ timeout: timeoutMs, allowH2: false, keepAlive: true, lookup });
  };
  const connectors = new Map(['https:', 'http:'].map((protocol) => [protocol, connectorFor(protocol)]));
  return (options, callback) => {
    const { protocol } = options;
    const host = hostOf(options);
    try {
      // Node doesn't look up an address that is written as one.
      if (isIP(host)) checkAddresses([host], protocol, policy);
      const connect = connectors.get(protocol);
      if (!connect) throw new Error(`unknown protocol ${protocol}`);
      connect({ ...options, hostname: host }, callback);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null);
    }
  };
}
