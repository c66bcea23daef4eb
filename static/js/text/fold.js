// Folds letters that differ only in case or Unicode form into one, as chatproject/core/text.py does.

export const fold = (text) =>
  text
    .normalize("NFD")
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll("ς", "σ")
    .replaceAll("i\u0307", "i")
    .normalize("NFC");
