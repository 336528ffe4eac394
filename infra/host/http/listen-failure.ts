/** Reasons in words; other errors keep the system's own. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program is using it',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'this user may not use a port below 1024',
};

/** The error of a server that cannot listen, with the settings that choose the address. */
export function listenFailure(address: string, settings: string, cause: NodeJS.ErrnoException): Error {
  const reason = REASONS[cause.code ?? ''] ?? cause.message;
  return new Error(`cannot listen on ${address}: ${reason}: choose another address by ${settings}`, { cause });
}
