// The terminal takes the keys as soon as it is there: nobody has to click first.
new MutationObserver((_, watching) => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (!keys) return;
  watching.disconnect();
  keys.focus();
  window.addEventListener("focus", () => keys.focus());
}).observe(document, { childList: true, subtree: true });
