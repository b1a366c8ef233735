// Before the first paint: the colours that somebody chose here go before the system's.
try {
  const chosen = localStorage.getItem("edgewise-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Without storage the system decides.
}
document.documentElement.classList.add("scripted");
