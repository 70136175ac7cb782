"""How the feature maps of a timm network cover an image: which options it needs, which sizes it takes.

A network is tried on torch's meta device, where tensors have a shape but no numbers: a step of any size takes neither
memory nor weights there, so that what does not fit is found before data are made and anything is trained.
"""

from __future__ import annotations

import difflib
import functools
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import timm
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.core.errors import InputError

# Networks of patches or windows take some sizes only: the image is padded to the next multiple that is accepted.
MULTIPLES = (1, 4, 8, 14, 16, 28, 32, 48, 56, 64, 128)
MOST_PADDING = 2.0  # largest area of the padded image, in areas of the image
FEW_CHANNELS = 16  # of the input of a convolution, see `SubsampledConvolution`
# Networks that do not pad their convolutions leave out the border of the image: so many cells of a map at most.
MISSING_CELLS = 4
# What timm raises for options and sizes that do not fit a network.
MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
Size = tuple[int, int]  # width and height


class BackboneOptions(Protocol):
    """What a configuration has to say of a backbone."""

    @property
    def backbone(self) -> str:
        """Name of a timm model with `features_only`."""
        ...

    @property
    def backbone_channels(self) -> list[int]:
        """Widths of the stages of a timm ResNet; empty: its own."""
        ...

    @property
    def min_stride(self) -> int:
        """Maps with fewer pixels per cell are not used."""
        ...

    @property
    def pretrained(self) -> bool:
        """Whether it starts from timm's weights."""
        ...

    @property
    def image_width(self) -> int:
        """Width of its input in pixels."""
        ...

    @property
    def image_height(self) -> int:
        """Height of its input in pixels."""
        ...


@dataclass(frozen=True)
class Layout:
    """How the feature maps of a backbone cover an image.

    Attributes:
        options: arguments of `timm.create_model`.
        channels: of each map, fine to coarse.
        strides: pixels per cell of each map.
        padding: columns on the right and rows at the bottom by which the image is extended.
        covered: part of the width and of the height of a map that shows the image; 1 without padding.
        is_last: whether each map has its channels last, (b, h, w, c).
        num_cells: of the finest map.
        is_whole: whether cells of the finest map reach to the border of the image, or could not by more padding.
        num_parameters: of the backbone.
        num_activations: numbers that one image leaves in memory for the backward pass, about.
        first: number of finer maps of the backbone that are not used.
    """

    options: Mapping[str, Any]
    channels: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Size
    covered: tuple[float, float]
    is_last: tuple[bool, ...]
    num_cells: int
    is_whole: bool
    num_parameters: int
    num_activations: int
    first: int = 0

    @property
    def stride(self) -> int:
        """Pixels per cell of the finest map, which carries the heat map."""
        return self.strides[0]

    def maps(self, backbone: nn.Module, images: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b c _ _"]]:
        """The maps of normalised images, channels first, fine to coarse."""
        padded = F.pad(images, (0, self.padding[0], 0, self.padding[1])) if any(self.padding) else images
        found = backbone(padded.contiguous(memory_format=torch.channels_last))[self.first :]
        return [each.permute(0, 3, 1, 2) if last else each for each, last in zip(found, self.is_last, strict=True)]


def layout_of(config: BackboneOptions) -> Layout:
    """The layout of a configured backbone; no weights are made or fetched.

    Raises `InputError` for a name that timm does not have, a network without feature maps, options or an image size
    that it does not take, and a `min_stride` above all of its strides.
    """
    image = (config.image_width, config.image_height)
    whole = _layout(config.backbone, tuple(config.backbone_channels), image)
    first = sum(stride < config.min_stride for stride in whole.strides)
    if first == len(whole.strides):
        raise InputError(
            f"min_stride: {config.min_stride}, but the maps of backbone '{config.backbone}' have strides of "
            f"{', '.join(map(str, whole.strides))} pixels; choose one of these"
        )
    cut = {name: getattr(whole, name)[first:] for name in ("channels", "strides", "is_last")}
    return replace(whole, **cut, first=first, num_cells=_num_cells(image, whole.strides[first]))


def create(name: str, pretrained: bool, options: Mapping[str, Any]) -> nn.Module:
    """The feature extractor of a timm network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of timm: deprecated names, replaced registrations
        return _subsampled(timm.create_model(name, features_only=True, pretrained=pretrained, **options))


class SubsampledConvolution(nn.Conv2d):
    """A 1x1 convolution with a stride, which leaves out pixels before it multiplies: same weights, same result.

    The usual one corrupts memory in its backward pass with fewer than 16 channels last on processors with AVX-512
    (oneDNN 3.13, `avx512_bf16`): the process dies later, in unrelated code. RepVGG begins with one.
    """

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d _ _"]:
        """(b, c, h, w) -> (b, d, h / stride, w / stride), rounded up."""
        rows, columns = self.stride
        return F.conv2d(input[:, :, ::rows, ::columns], self.weight, self.bias, groups=self.groups)


def _subsampled(network: nn.Module) -> nn.Module:
    for each in network.modules():
        if type(each) is nn.Conv2d and _is_at_risk(each):
            each.__class__ = SubsampledConvolution
    return network


def _is_at_risk(layer: nn.Conv2d) -> bool:
    is_pointwise = layer.kernel_size == (1, 1) and layer.padding == (0, 0)
    return is_pointwise and layer.stride != (1, 1) and layer.in_channels // layer.groups < FEW_CHANNELS


def require_name(name: str) -> None:
    """Raise `InputError` unless timm has a network, and weights, of that name; name the nearest ones."""
    architecture, _, tag = name.partition(".")
    if not timm.is_model(name):
        near = difflib.get_close_matches(architecture.lower(), timm.list_models(), n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else "they are listed by timm.list_models()"
        raise InputError(f"backbone '{name}' is not a timm model; {advice}")
    known = timm.list_pretrained(f"{architecture}.*") if "." in name else []
    if "." in name and name not in known:
        raise InputError(f"backbone '{name}': timm has no weights '{tag}' (known: {', '.join(known) or 'none'})")


# --- the attempts ----------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=128)
def _layout(name: str, widths: tuple[int, ...], image: Size) -> Layout:
    require_name(name)
    narrow = {"channels": widths, "stem_width": max(1, widths[0] // 2)} if widths else {}
    nets: dict[str, nn.Module] = {}
    found: list[Layout] = []
    problems: list[str] = []
    for size, sized in _attempts(name, image):
        try:
            options = narrow | sized
            nets[str(options)] = net = nets.get(str(options)) or _without_numbers(name, options)
            found.append(_tried(net, options, image, size))
            if found[-1].is_whole:
                return found[-1]
        except MISFITS as error:
            problems.append(shortened(error))
            if "meta tensors" in str(error):  # its computation depends on numbers, whatever the size
                break
    if found:
        return found[0]
    raise _refusal(name, widths, image, problems[0])


def _refusal(name: str, widths: tuple[int, ...], image: Size, problem: str) -> InputError:
    if not widths:
        own = timm.get_pretrained_cfg(name)
        advice = f"; its own size is {own.input_size[2]}x{own.input_size[1]}" if own else ""
        return InputError(f"backbone '{name}': cannot use images of {image[0]}x{image[1]} pixels ({problem}){advice}")
    _layout(name, (), image)  # raises where the network is the reason
    return InputError(
        f"backbone_channels: {list(widths)} do not fit backbone '{name}' ({problem}); they are the widths of the four "
        "stages of a timm ResNet, leave them out for any other network"
    )


def _attempts(name: str, image: Size) -> Iterator[tuple[Size, dict[str, Any]]]:
    """Sizes and options to try: the size of the image first, squares last."""
    config = timm.get_pretrained_cfg(name)
    is_sized = bool(config and config.fixed_input_size)  # timm's mark of networks that take `img_size`
    sides = [image, (max(image), max(image))]
    sizes = dict.fromkeys((_ceil(w, m), _ceil(h, m)) for w, h in sides for m in MULTIPLES)
    for width, height in sizes:
        if width * height <= MOST_PADDING * image[0] * image[1]:
            sized: dict[str, Any] = {"img_size": (height, width)}
            yield from (((width, height), options) for options in ([sized, {}] if is_sized else [{}, sized]))


def _ceil(side: int, multiple: int) -> int:
    return math.ceil(side / multiple) * multiple


def _without_numbers(name: str, options: Mapping[str, Any]) -> nn.Module:
    with torch.device("meta"):
        return create(name, False, options).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _tried(net: Any, options: Mapping[str, Any], image: Size, size: Size) -> Layout:
    """The layout of a network without numbers after a step on two images of `size`; raises one of `MISFITS`."""
    channels = tuple(net.feature_info.channels())
    maps, num_activations = _step(net, size)
    is_last = tuple(_is_last(net, each.shape, c) for each, c in zip(maps, channels, strict=True))
    grids = [each.shape[1:3] if last else each.shape[2:] for each, last in zip(maps, is_last, strict=True)]
    reported = [int(max(each) if isinstance(each, tuple | list) else each) for each in net.feature_info.reduction()]
    strides = tuple(_stride(stride, size, grid) for stride, grid in zip(reported, grids, strict=True))
    return Layout(
        options=dict(options),
        channels=channels,
        strides=strides,
        padding=(size[0] - image[0], size[1] - image[1]),
        covered=(image[0] / size[0], image[1] / size[1]),
        is_last=is_last,
        num_cells=_num_cells(image, strides[0]),
        is_whole=tuple(grids[0]) == _cells(size, reported[0]) or not any(side % reported[0] for side in size),
        num_parameters=sum(parameter.numel() for parameter in net.parameters()),
        num_activations=num_activations,
    )


def _step(net: nn.Module, size: Size) -> tuple[list[Tensor], int]:
    """The maps of two images, also after the backward pass, and the number of activations per image."""
    counted: list[int] = []
    leaves = [module for module in net.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(lambda _net, _given, out: counted.append(_count(out))) for leaf in leaves]
    images = torch.zeros(2, 3, size[1], size[0], device="meta").contiguous(memory_format=torch.channels_last)
    maps = net.train()(images)
    torch.stack([each.sum() for each in maps]).sum().backward()
    for hook in hooks:
        hook.remove()
    return maps, sum(counted) // 2


def _count(output: Any) -> int:
    return output.numel() if isinstance(output, Tensor) else 0


def _is_last(net: Any, shape: torch.Size, channels: int) -> bool:
    """Whether a map of this shape has its channels last; raises ValueError where they are neither last nor first."""
    places = {1: False, len(shape) - 1: True} if len(shape) == 4 else {}
    found = [is_last for place, is_last in places.items() if shape[place] == channels]
    if not found:
        raise ValueError(
            f"its maps have the shape {tuple(shape[1:])}, where {channels} channels by height by width fit"
        )
    return found[0] if len(found) == 1 else "NHWC" in str(getattr(net, "output_fmt", ""))


def _cells(size: Size, stride: int) -> Size:
    """Rows and columns of a map that covers an image."""
    return math.ceil(size[1] / stride), math.ceil(size[0] / stride)


def _num_cells(image: Size, stride: int) -> int:
    return math.ceil(image[0] / stride) * math.ceil(image[1] / stride)


def _stride(reported: int, size: Size, grid: Sequence[int]) -> int:
    """Pixels per cell as timm reports them, or as measured where the map leaves out the border of the image.

    Raises ValueError for a map that differs by more than that.
    """
    rows, columns = _cells(size, reported)
    if max(abs(grid[0] - rows), abs(grid[1] - columns)) > MISSING_CELLS:
        raise ValueError(f"timm reports maps of {columns}x{rows} cells, they have {grid[1]}x{grid[0]}")
    return reported if tuple(grid) == (rows, columns) else max(round(size[1] / grid[0]), round(size[0] / grid[1]))


def shortened(error: BaseException) -> str:
    """The first line of an error of timm or torch, at most 120 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0].rstrip(".") if lines else type(error).__name__
    return text if len(text) <= 120 else f"{text[:117]}..."
