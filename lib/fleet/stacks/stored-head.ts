import * as z from 'zod';
import type { Item } from '../../platform/database/database.ts';
import type { StackHead } from './stack.ts';

/** A head as other items store it. The checksum is stored as bytes, because thousands of heads are read at once and reads cost by size. */
const StoredHead = z.object({
  object_id: z.uuid(),
  sequence: z.int(),
  checksum: z.instanceof(Uint8Array),
  marker: z.boolean().optional(),
});

export const storedHead = ({ object_id, sequence, checksum, is_deletion_marker }: StackHead) => ({
  object_id,
  sequence,
  checksum: Buffer.from(checksum, 'hex'),
  ...(is_deletion_marker && { marker: true }),
});

export function readStoredHead(item: Item): StackHead {
  const { object_id, sequence, checksum, marker = false } = StoredHead.parse(item);
  return { object_id, sequence, checksum: Buffer.from(checksum).toString('hex'), is_deletion_marker: marker };
}
