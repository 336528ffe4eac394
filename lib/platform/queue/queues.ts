/** Sending side of the queues. Receiving is the host's: Lambda's event source mapping, or the one-process host's poller. */
export interface Message {
  /** Unique within the batch; names the message in what was refused. */
  id: string;
  body: string;
}

export interface Queues {
  /** Sends in batches of ten; resolves to the ids the queue did not accept (a batch call can fail in part). */
  send(queue: string, messages: readonly Message[]): Promise<string[]>;
}
