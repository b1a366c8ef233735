// The handle of the frontier: what it previews stands in the form's data, one entry a setting.

const form = document.getElementById("frontier");

if (form) {
  const points = JSON.parse(form.dataset.points);
  const handle = document.getElementById("handle");
  const marker = document.getElementById("marker");
  const tell = (name, text) => (document.getElementById(name).textContent = text);

  const show = () => {
    const point = points[handle.value];
    handle.setAttribute("aria-valuetext", point.said);
    document.getElementById("objective").value = point.objective;
    tell("p-name", point.objective);
    tell("p-quality", point.quality);
    tell("p-among", point.among);
    tell("p-regret", point.regret);
    tell("p-given", point.given_up);
    tell("p-price", point.price);
    tell("p-month", point.month);
    point.share.forEach((share, at) => {
      document.getElementById(`s-${at}`).value = share;
      tell(`t-${at}`, `${(share * 100).toFixed(1)} %`);
    });
    marker.setAttribute("cx", point.x);
    marker.setAttribute("cy", point.y);
  };

  handle.addEventListener("input", show);
  show();
}
