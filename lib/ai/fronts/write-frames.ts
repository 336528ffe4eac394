import { AppError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { StreamFrame } from '../completion/stream-frame.ts';

/** Turns a frame into the text that a front's clients read, which may be empty. */
export type FrameWriter = (frame: StreamFrame) => string;

/**
 * One piece of bytes for everything that was read at once. A frame that can't be written becomes an error frame, so that no stream ends
 * silently, and the provider's stream is closed.
 */
export async function* writeFrames(
  frames: AsyncIterable<readonly StreamFrame[]>,
  textOf: FrameWriter,
  log: Pick<Log, 'error'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const batch of frames) {
    let text = '';
    let failed = false;
    try {
      for (const frame of batch) text += textOf(frame);
    } catch (error) {
      log.error('frame_not_written', { error });
      failed = true;
      text += textOf({
        kind: 'failure',
        error: new AppError('internal', 'The gateway could not write the answer.', { code: 'internal_error' }),
      });
    }
    if (text !== '') yield Buffer.from(text);
    if (failed) return;
  }
}
