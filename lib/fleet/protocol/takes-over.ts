/** On a stack: the id of another stack of the same generator, whose objects it may take over. They move without being deleted. */
export const TAKES_OVER = 'brokkr.io/takes-over';
