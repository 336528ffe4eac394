import type { Mail, Message } from '../../lib/platform/mail/mail.ts';

export interface CollectedMail extends Mail {
  messages: Message[];
  /** The token in the newest mail to this address. */
  tokenFor(address: string): string;
}

/** A letter box that a test looks into. */
export function collectMail(): CollectedMail {
  const messages: Message[] = [];
  return {
    messages,
    async send(message) {
      messages.push(message);
    },
    tokenFor: (address) => /^[0-9a-f]{64}$/m.exec(messages.findLast(({ to }) => to === address)?.text ?? '')?.[0] ?? '',
  };
}
