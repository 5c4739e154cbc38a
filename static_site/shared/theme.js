// Sets the reader's choice of light or dark before anything is painted; the rest is settings.js's.

try {
  const { theme } = JSON.parse(localStorage.getItem("verdict.settings") ?? "{}");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is closed or holds something else: the system's theme stays.
}
