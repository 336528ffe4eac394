import type { ChatCompletion } from '../wire/chat.ts';
import type { BrokleExtension } from './brokle-extension.ts';

/** A whole answer for a front to write. */
export interface ChatAnswer {
  kind: 'completion';
  headers: Record<string, string>;
  completion: ChatCompletion & { brokle: BrokleExtension };
}
