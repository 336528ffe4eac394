/** A message to a queue. Only sending is here: Lambda's event source mapping, or the one-process host's poller, receives. */
export interface Message {
  /** Unique within the batch; names the message if it is refused. */
  id: string;
  body: string;
  /** No consumer gets it before this time has passed; 900 at most. */
  delaySeconds?: number;
}

export interface Queues {
  /** Sends in batches of ten. Resolves to the ids that the queue did not accept: a batch call can fail in part. */
  send(queue: string, messages: readonly Message[]): Promise<string[]>;
}
