// What keys mean.

/**
 * Whether a key belongs to an input method, which uses Enter and the arrows to choose a word. Safari ends the composing
 * before it tells of the key: then only its code, 229, says so.
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
