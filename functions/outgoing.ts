import { createOutgoingClient, type OutgoingClient } from '../lib/platform/outgoing/outgoing-client.ts';
import { oncePerRuntime } from './runtime.ts';

/** This process's way out to addresses that customers choose. It opens nothing before its first call. */
export const outgoing = oncePerRuntime(
  ({ config }): OutgoingClient => createOutgoingClient({ allowPrivate: config.ALLOW_PRIVATE_UPSTREAMS }),
);
