import type { Clock } from '../../lib/platform/clock.ts';

/** The agent's key, which may be replaced while it runs. */
export interface AgentKey {
  current(): string;
  /** Whether there is another by now than this one, which was refused. */
  replaced(refused: string): boolean;
}

const READ_AGAIN_MS = 5_000;

export function createAgentKey({ pak, read, clock }: { pak: string; read: (() => string) | undefined; clock: Clock }): AgentKey {
  let current = pak;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return {
    current: () => current,
    replaced(refused) {
      const now = clock.monotonicMs();
      if (current !== refused || !read || now - readAtMs < READ_AGAIN_MS) return current !== refused;
      readAtMs = now;
      try {
        current = read();
      } catch {
        // It is just being replaced.
      }
      return current !== refused;
    },
  };
}
