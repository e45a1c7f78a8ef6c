"""Every parameter of the package: one frozen dataclass per stage, nested in MossConfig.

This is the only place of defaults. ROS parameters, YAML files and docs/parameters.md derive from the
fields below, so each carries its description (with unit) and bounds. Unknown keys are errors.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

import yaml


class ConfigError(ValueError):
    """A parameter is unknown, of the wrong type or out of bounds; the message names the fix."""


def param(default: Any, description: str, low: float | None = None, high: float | None = None,
          choices: tuple[str, ...] | None = None) -> Any:
    """Declare one parameter: default, description with unit, inclusive bounds or choices."""
    metadata = {"description": description, "low": low, "high": high, "choices": choices}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class InputConfig:
    """Topics, pairing of stamps and where the pose comes from."""

    color_topic: str = param("/camera/color/image_raw", "colour image topic; a name ending in /compressed is read as CompressedImage")
    depth_topic: str = param("/camera/depth/image_raw", "depth image topic; a name ending in /compressedDepth is read as CompressedImage")
    color_info_topic: str = param("/camera/color/camera_info", "CameraInfo of the colour image")
    depth_info_topic: str = param("", "CameraInfo of the depth image; empty: the colour camera, scaled to the depth size")
    pose_source: str = param("tf", "where the camera pose comes from", choices=("tf", "pose", "odometry"))
    tf_buffer: str = param("auto", "live node with pose_source tf: who keeps the transforms; auto: tf2_ros where it is installed", choices=("auto", "tf2_ros", "own"))
    pose_topic: str = param("/camera/pose", "PoseStamped or Odometry topic (pose_source pose or odometry)")
    map_frame: str = param("map", "frame of the map: metric, z up")
    camera_frame: str = param("", "optical frame of the colour camera; empty: taken from the image header")
    body_from_camera_xyz: tuple[float, ...] = param((0.0, 0.0, 0.0), "odometry only: position of the optical frame in the body frame, m")
    body_from_camera_xyzw: tuple[float, ...] = param((0.0, 0.0, 0.0, 1.0), "odometry only: rotation of the optical frame in the body frame, quaternion")
    sync_tolerance_s: float = param(0.02, "largest difference between the stamps of colour and depth, s", 0.0, 1.0)
    sync_wait_s: float = param(0.5, "how long an image waits for its partner and its pose, s of image time", 0.01, 10.0)
    pose_gap_s: float = param(0.25, "largest time between the two poses that an image pose is interpolated from, s", 0.0, 5.0)
    queue_size: int = param(10, "images of each topic kept while waiting for partners", 2, 200)
    depth_min_m: float = param(0.3, "nearer depth is treated as no measurement, m", 0.0, 10.0)
    depth_max_m: float = param(4.0, "farther depth is treated as no measurement, m", 0.1, 100.0)
    reliability: str = param("best_effort", "QoS of the image subscriptions", choices=("best_effort", "reliable"))


@dataclass(frozen=True, slots=True)
class MappingConfig:
    """Voxel map, normals, superpoints, keyframes."""

    voxel_size_m: float = param(0.02, "edge of a voxel, m", 0.002, 0.5)
    pixel_stride: int = param(2, "every n-th pixel and row is integrated", 1, 16)
    edge_base_m: float = param(0.02, "a pixel whose four neighbours differ by more is a flying pixel: constant part, m", 0.0, 1.0)
    edge_slope: float = param(0.03, "same, part that grows with depth, m per m", 0.0, 1.0)
    min_hits: int = param(2, "a voxel counts once it was hit in so many frames", 1, 100)
    max_weight: float = param(200.0, "running means forget beyond this weight", 1.0, 1e6)
    see_through_base_m: float = param(0.06, "depth this far behind a voxel is see-through evidence: constant part, m", 0.0, 1.0)
    see_through_slope: float = param(0.02, "same, part that grows with squared depth, m per m^2", 0.0, 1.0)
    see_through_ratio: float = param(2.0, "a voxel counts as gone when it was seen through so many times as often as it was hit", 0.1, 100.0)
    superpoint_k: float = param(0.01, "Felzenszwalb scale (section C: 0.003 to 0.02 makes no difference)", 0.0, 10.0)
    superpoint_min_voxels: int = param(20, "smaller superpoints join a neighbour", 1, 10000)
    keyframe_distance_m: float = param(0.1, "camera motion that makes a keyframe, m", 0.0, 10.0)
    keyframe_angle_deg: float = param(8.0, "camera turn that makes a keyframe, degrees", 0.0, 180.0)
    keyframe_new_surface: float = param(0.3, "share of pixels on new voxels that makes a keyframe without motion", 0.0, 1.0)
    keyframe_budget: int = param(120, "keyframes kept; the one whose surface is best covered by others goes", 2, 5000)


@dataclass(frozen=True, slots=True)
class StructureConfig:
    """Floor, walls and supports found in the voxel map."""

    floor_peak_share: float = param(0.25, "the floor is the lowest height peak of at least this share of the highest", 0.01, 1.0)
    floor_tolerance_m: float = param(0.021, "voxels up to so far above the floor belong to it, m", 0.001, 0.5)
    wall_tolerance_m: float = param(0.03, "voxels so near a wall plane with its normal belong to it, m", 0.001, 0.5)
    wall_min_area_m2: float = param(2.0, "smallest wall, m^2", 0.1, 100.0)
    wall_beyond_share: float = param(0.05, "an outermost wall has less than this share of the map behind it", 0.0, 1.0)
    spread_factor: float = param(3.0, "tolerances are at least so many times the measured spread of their plane", 0.0, 10.0)
    support_min_height_m: float = param(0.12, "supports lie at least so high above the floor, m", 0.0, 2.0)
    support_step_m: float = param(0.012, "height step between neighbouring voxels of one support, m", 0.001, 0.1)
    support_min_area_m2: float = param(0.05, "smallest support, m^2", 0.001, 10.0)
    support_spread_m: float = param(0.012, "largest median height deviation of a support, m", 0.001, 0.1)


@dataclass(frozen=True, slots=True)
class MasksConfig:
    """2D masks of a keyframe."""

    segmenter: str = param("auto", "what makes the 2D masks; learned: a small network; geometric: depth steps; sam: Segment Anything; auto: learned where torch is installed", choices=("auto", "learned", "geometric", "sam"))
    weights: str = param("", "learned: weight file (.safetensors); empty: the one of the package")
    use_color: bool = param(False, "learned: colour has a third of the say, depth alone the rest; false: depth alone, in half the time")
    merge_level: float = param(0.4, "learned: regions are joined while their mean affinity is above; lower: larger masks", 0.0, 1.0)
    step_base_m: float = param(0.012, "depth step at 2 px that parts two things: constant part, m", 0.0, 1.0)
    step_quadratic: float = param(0.004, "same, part that grows with squared depth, m per m^2", 0.0, 1.0)
    step_slope: float = param(0.03, "same, part that grows with depth, m per m", 0.0, 1.0)
    min_pixels: int = param(50, "smallest part, px", 1, 100000)
    grow_pixels: int = param(4, "parts grow back into their edges by so many px", 0, 50)
    sam_model: str = param("sam_vit_b", "sam: which model (`moss weights list`)", choices=("sam_vit_b", "sam_vit_l", "sam_vit_h", "sam2.1_hiera_tiny", "sam2.1_hiera_small", "sam2.1_hiera_base_plus", "sam2.1_hiera_large", "sam3"))
    sam_weights: str = param("", "sam: weight file, or folder for SAM 2.1 and 3; empty: where `moss weights fetch` puts it")
    sam_device: str = param("auto", "sam: where it computes; auto: on CUDA where there is one", choices=("auto", "cuda", "cpu"))
    sam_half: bool = param(True, "sam: the image encoder computes in 16 bit (CUDA only)")
    sam_points_per_side: int = param(32, "sam: points along each side of the grid that is asked", 1, 128)
    sam_batch: int = param(64, "sam: points asked at a time; fewer need less memory", 1, 4096)
    sam_min_iou: float = param(0.88, "sam: masks are kept that the model rates at least so high", 0.0, 1.0)
    sam_min_stability: float = param(0.95, "sam: masks are kept that depend so little on the threshold", 0.0, 1.0)
    sam_overlap: float = param(0.7, "sam: of two masks whose boxes overlap by more, the better rated stays", 0.0, 1.0)
    sam_detail: str = param("parts", "sam: what shows where masks are nested; parts: the inner ones on top; whole: the outer ones only", choices=("parts", "whole"))
    sam_embeddings: int = param(120, "sam: images whose embeddings are remembered, 4 to 17 MB each; one that is forgotten is looked at again when it is asked", 1, 10000)
    sam_max_share: float = param(0.4, "sam: masks over more of the image are structure", 0.0, 1.0)
    refresh_keyframes: int = param(4, "keyframes whose background changed that one pass segments again (the stalest first)", 1, 10000)
    stale_share: float = param(0.02, "a keyframe is stale when the background of this share of its voxels changed", 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class ProposalConfig:
    """Objects on supports, furniture, flat things, consensus, union."""

    rim_m: float = param(0.008, "voxels so near a support height are its rim, m", 0.0, 0.1)
    rim_spreads: float = param(2.0, "rims are at least so many times the measured spread of their support", 0.0, 10.0)
    object_max_m: float = param(0.6, "largest extent of an object on a support, m", 0.05, 5.0)
    object_min_voxels: int = param(12, "smallest object or furniture part, voxels", 1, 10000)
    object_leak: float = param(0.15, "an object touches fewer voxels outside its support than this share of its size", 0.0, 1.0)
    fragment_gap_m: float = param(0.05, "a part that hovers over its support joins the nearest object within, m", 0.0, 1.0)
    furniture_gap_m: float = param(0.06, "a furniture part joins a bigger one within, m", 0.0, 1.0)
    furniture_glue: float = param(0.2, "only parts smaller than this share of the largest part are joined", 0.0, 1.0)
    flat_deviations: float = param(3.5, "robust colour deviations that part a flat thing from its plane", 1.0, 20.0)
    flat_min_voxels: int = param(20, "smallest flat thing, voxels", 1, 10000)
    views: str = param("affinity", "what joins the views of a thing; affinity: pixel pairs averaged in 3D, best on real rooms; consensus: 2D masks that agree, with closer edges where poses and depth are exact, and less memory", choices=("affinity", "consensus"))
    consensus_agreement: float = param(0.9, "supporters / observers that join two masks", 0.0, 1.0)
    consensus_containment: float = param(0.7, "share of a mask inside another that contains it", 0.0, 1.0)
    consensus_under_segmentation: float = param(0.5, "a mask split in more than this share of its frames is dropped", 0.0, 1.0)
    consensus_visible: float = param(0.3, "share of a mask seen in a frame that makes the frame an observer", 0.0, 1.0)
    consensus_visible_voxels: int = param(500, "or so many of its voxels", 1, 1000000)
    consensus_detection: float = param(0.5, "share of its frames that must put a voxel into a cluster", 0.0, 1.0)
    consensus_min_masks: int = param(2, "fewest masks of a cluster", 1, 100)
    mask_min_voxels: int = param(8, "smallest mask lifted to voxels", 1, 10000)
    suppress_iou: float = param(0.5, "a proposal that overlaps a better one by more is dropped", 0.0, 1.0)
    map_min_score: float = param(0.2, "proposals whose expected overlap with a thing is below stay candidates and get no voxels", 0.0, 1.0)
    map_lend_share: float = param(0.3, "share of its voxels that a proposal gives to smaller, less sure ones", 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class LiftingConfig:
    """Dense 2D masks of things of the map: which voxel owns each pixel of a view."""

    backend: str = param("numba", "what expands the voxels; numba: compiled loops; torch: the same on a GPU where there is one; opencv: nearest voxel in the image, coarser", choices=("numba", "torch", "opencv"))
    density_radius: float = param(2.6, "neighbours within so many voxel edges give spacing, rim direction and normal", 1.8, 5.0)
    sparse_radius: float = param(4.2, "same, for voxels with few neighbours, voxel edges", 1.8, 7.0)
    sparse_neighbours: int = param(9, "fewer neighbours than this make a voxel look farther", 0, 100)
    spacing_min: float = param(0.8, "smallest local spacing of voxels, voxel edges", 0.1, 5.0)
    spacing_max: float = param(3.0, "largest local spacing of voxels, voxel edges", 0.1, 10.0)
    rim_offset: float = param(0.45, "a voxel whose neighbours' mean is this share of the radius away is wholly a rim", 0.05, 1.0)
    rim_gain: float = param(1.5, "how fast the reach shortens as the direction turns outwards over a rim", 0.0, 10.0)
    certain_reach: float = param(0.5, "pixels so near a projected voxel belong to the nearest surface, spacings", 0.05, 5.0)
    inward_reach: float = param(1.3, "reach into open pixels along the surface, spacings", 0.05, 5.0)
    outward_reach: float = param(0.5, "reach into open pixels over a rim, spacings", 0.0, 5.0)
    measured_inward_reach: float = param(3.5, "inward_reach where the pixel's depth agrees", 0.05, 5.0)
    measured_outward_reach: float = param(2.8, "outward_reach where the pixel's depth agrees", 0.0, 5.0)
    pixel_variance: float = param(0.35, "added to the projected ellipse for the size of a pixel, px^2", 0.01, 10.0)
    max_reach_px: float = param(40.0, "longest reach, px", 1.0, 500.0)
    min_facing: float = param(0.2, "cosine between ray and normal below which the slope of a surface is held", 0.01, 1.0)
    front_m: float = param(0.05, "surfaces that differ by less in depth count as one, m", 0.001, 1.0)
    stop_base_m: float = param(0.05, "growth stops where the measured depth differs from the voxel's plane: constant part, m", 0.001, 1.0)
    stop_slope: float = param(0.02, "same, part that grows with depth and distance, m per m and spacing", 0.0, 1.0)
    seen_base_m: float = param(0.05, "a voxel is seen where the measured depth differs from its own by less, m", 0.001, 1.0)
    seen_slope: float = param(0.02, "same, m per m of depth; the larger of the two counts", 0.0, 1.0)
    cover_inward_reach: float = param(1.1, "without depth, a voxel hides what lies behind it within, along its surface, spacings", 0.05, 5.0)
    cover_outward_reach: float = param(0.5, "same, over a rim, spacings", 0.0, 5.0)
    hidden_base_m: float = param(0.06, "without depth, a voxel so far behind the plane of another is hidden, m", 0.001, 1.0)
    nearest_reach: float = param(0.8, "backend opencv: an open pixel takes the nearest voxel in the image within, spacings", 0.05, 5.0)
    look_up_reach: float = param(2.0, "a measured pixel takes the nearest voxel within, voxel edges", 0.5, 2.0)
    refine: bool = param(True, "the 2D masks that agree with a proposal add what it missed")
    refine_min_iou: float = param(0.3, "a view speaks when its 2D masks and what it sees of the proposal overlap so well", 0.01, 1.0)
    refine_inside: float = param(0.8, "a 2D mask of which so large a share lies in the proposal is a part of it", 0.0, 1.0)
    refine_min_views: int = param(1, "fewest views that speak before anything is changed", 1, 1000)
    refine_add: float = param(0.75, "a voxel is added when so large a share of the speaking views that see it want it", 0.0, 1.0)
    refine_remove: float = param(0.0, "a voxel is removed when at most this share wants it, by two views or more; 0: nothing is", 0.0, 1.0)
    refine_superpoint: float = param(0.8, "a superpoint of which so large a share is wanted takes its unseen voxels along; above 1: none does", 0.0, 2.0)
    refine_snap_sources: str = param("affinity,consensus", "sources, separated by commas, whose masks snap to superpoints where no view objects; not for masks made of superpoints")
    refine_max_voxels: int = param(20000, "larger proposals (what is left of a room in one piece) stay as they are, voxels", 1, 100000000)
    prompt: str = param("auto", "show the proposals to Segment Anything (masks.sam_model) in the keyframes that see them best; its masks speak in the refinement; auto: where masks.segmenter is sam; always: beside any segmenter", choices=("auto", "always", "never"))
    prompt_views: int = param(4, "keyframes in which a proposal is shown", 1, 100)
    prompt_keyframes: int = param(4, "keyframes that one pass asks about (those with most to ask first); a full one asks about all", 1, 10000)
    prompt_min_seen: float = param(0.3, "a keyframe that sees a smaller share of a proposal is not asked about it", 0.0, 1.0)
    prompt_min_pixels: int = param(100, "nor one in which its mask is smaller, px of the colour image", 1, 1000000)
    prompt_min_stability: float = param(0.9, "answers count that depend so little on the threshold", 0.0, 1.0)
    prompt_min_iou: float = param(0.5, "answers count that overlap the mask they were asked with so well", 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class LanguageConfig:
    """Words and pictures: which model reads the instances, in how many views, and what they may be called."""

    enabled: str = param("auto", "name instances and answer questions; auto: where torch and open_clip are installed", choices=("auto", "always", "never"))
    model: str = param("bundled", "bundled: the small model of the package; else an open_clip model, e.g. ViT-B-16")
    weights: str = param("", "open_clip models: pretrained tag, e.g. openai, or path of a checkpoint")
    backend: str = param("mask_tokens", "how a mask is read; mask_tokens: the whole image and the mask go in together; alpha_clip: Alpha-CLIP weights; crops: three crops of each mask", choices=("mask_tokens", "alpha_clip", "crops"))
    alpha_weights: str = param("", "alpha_clip: path of the visual tower's checkpoint")
    start_layer_share: float = param(-1.0, "mask_tokens: share of the layers after which the mask tokens start; -1: as the model was trained, for CLIP the middle", -1.0, 1.0)
    windows: bool = param(True, "mask_tokens: read small things in square windows of the image, not only on the whole image")
    image_size: int = param(0, "side of the model's input, px; 0: what the model was made for", 0, 2048)
    device: str = param("auto", "auto: the GPU where there is one", choices=("auto", "cpu", "cuda"))
    views_per_instance: int = param(4, "keyframes that speak for an instance", 1, 50)
    keyframes_per_pass: int = param(1, "keyframes that one pass reads while the map grows", 1, 1000)
    vocabulary: str = param("household", "names that instances may get: a list of the package, or the path of a YAML list")
    label_min_score: float = param(0.4, "below this an instance is called object", 0.0, 1.0)
    size_weight: float = param(0.7, "say of the metric size beside the picture, in labels and answers", 0.0, 10.0)


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """Identity over time."""

    match_iou: float = param(0.2, "voxel overlap that keeps an id", 0.0, 1.0)
    confirm_observations: int = param(3, "keyframes that confirm an instance", 1, 1000)


@dataclass(frozen=True, slots=True)
class QueryConfig:
    """Questions in words: what counts as found, and how similarity becomes a likelihood."""

    min_score: float = param(0.3, "answers with a lower likelihood are left out", 0.0, 1.0)
    max_results: int = param(20, "answers to a question that names no number", 1, 1000)
    max_text_length: int = param(256, "longest question, characters", 1, 10000)
    observed_share: float = param(0.8, "share of the asked region that must have been seen to say absent", 0.0, 1.0)
    observed_cell_m: float = param(0.15, "cell of the grid that remembers which space was seen, m", 0.02, 1.0)
    best_view_share: float = param(0.5, "say of the best view of an instance beside the mean of its views", 0.0, 1.0)
    noun_scale: float = param(80.0, "nats for a similarity of 1, in the softmax over the household nouns; fit it for another model", 0.1, 1000.0)
    negative_weight: float = param(4.0, "how much likelier than what it must not be a thing has to be: with so many times the likelihood it counts half", 0.0, 100.0)
    anchor_min_score: float = param(0.1, "lowest likelihood of the thing that a relation names", 0.0, 1.0)
    max_anchors: int = param(8, "things that may be the one a relation names", 1, 100)
    calibration_bias: float = param(0.43, "likelihood of the kind = logistic of this, plus the terms of the share and the size word", -20.0, 20.0)
    calibration_share: float = param(0.93, "times the logarithm of the share of what an instance may be that fits the question; fit it for another model with python -m moss_ros.train.query_calibration", 0.0, 20.0)
    calibration_color_bias: float = param(1.71, "likelihood of the colour = logistic of this, plus the next", -20.0, 20.0)
    calibration_color: float = param(2.32, "times the nats that the voxel colours speak for the colour words", 0.0, 20.0)
    calibration_size_word: float = param(1.0, "times -1 to 1 for large and small among things of the kind", 0.0, 20.0)
    example_similarity: float = param(0.8, "cosine between an example image and an instance where the likelihood is a half", -1.0, 1.0)
    example_scale: float = param(15.0, "how steeply it rises there, per unit of cosine", 0.1, 1000.0)


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """The live node."""

    autostart: bool = param(True, "the node configures and activates itself; false: it waits for a lifecycle manager")
    segment_period_s: float = param(1.0, "shortest time between two segmentations, s", 0.0, 60.0)
    marker_period_s: float = param(0.5, "shortest time between two marker messages, s", 0.1, 60.0)
    cloud_period_s: float = param(1.0, "shortest time between two clouds, s", 0.1, 60.0)
    diagnostics_period_s: float = param(1.0, "time between two diagnostics, s", 0.1, 60.0)
    waiting_frames: int = param(30, "undecoded frames that wait while the worker segments; when full the oldest goes", 1, 10000)
    warn_period_s: float = param(5.0, "shortest time between two warnings of one reason, s", 0.0, 600.0)


@dataclass(frozen=True, slots=True)
class MossConfig:
    """All stages."""

    input: InputConfig = InputConfig()
    mapping: MappingConfig = MappingConfig()
    structure: StructureConfig = StructureConfig()
    masks: MasksConfig = MasksConfig()
    proposals: ProposalConfig = ProposalConfig()
    lifting: LiftingConfig = LiftingConfig()
    language: LanguageConfig = LanguageConfig()
    instances: InstanceConfig = InstanceConfig()
    query: QueryConfig = QueryConfig()
    node: NodeConfig = NodeConfig()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One leaf of the configuration, as ROS and the documentation see it."""

    name: str  # dotted, e.g. "mapping.voxel_size_m"
    default: Any
    type: type
    description: str
    low: float | None
    high: float | None
    choices: tuple[str, ...] | None


@cache  # a node asks for them once for each of them
def parameters() -> tuple[Parameter, ...]:
    """Every parameter in declaration order."""
    return tuple(_parameters())


def _parameters() -> Iterator[Parameter]:
    for stage in dataclasses.fields(MossConfig):
        kind: Any = type(stage.default)
        hints = typing.get_type_hints(kind)
        for leaf in dataclasses.fields(kind):
            hint = hints[leaf.name]
            plain = tuple if isinstance(hint, types.GenericAlias) else hint
            yield Parameter(name=f"{stage.name}.{leaf.name}", default=leaf.default, type=plain, **leaf.metadata)


def from_flat(values: dict[str, Any]) -> MossConfig:
    """Configuration from {"stage.name": value}; missing keys keep their default.

    Raises ConfigError for an unknown key, a wrong type, or a value out of bounds.
    """
    known = {p.name: p for p in parameters()}
    stages: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; see docs/parameters.md"
            raise ConfigError(f"unknown parameter {name}{hint}")
        stage, leaf = name.split(".", 1)
        stages.setdefault(stage, {})[leaf] = _checked(known[name], value)
    defaults = MossConfig()
    replaced = {stage: dataclasses.replace(getattr(defaults, stage), **leaves) for stage, leaves in stages.items()}
    return dataclasses.replace(defaults, **replaced)


def to_flat(config: MossConfig) -> dict[str, Any]:
    """{"stage.name": value} of a configuration, in declaration order."""
    return {p.name: getattr(getattr(config, p.name.split(".")[0]), p.name.split(".")[1]) for p in parameters()}


def load_yaml(path: str) -> dict[str, Any]:
    """Flat parameters of a ROS parameter file (``/**: ros__parameters: {stage: {name: value}}``).

    Raises ConfigError when the file cannot be read or is not of this form.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            tree = yaml.safe_load(stream) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read parameter file {path}: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold a mapping '/**: ros__parameters: ...'")
    flat: dict[str, Any] = {}
    for node, body in tree.items():
        if not isinstance(body, dict) or "ros__parameters" not in body:
            raise ConfigError(f"{path}: node {node!r} has no ros__parameters")
        leaves = body["ros__parameters"] or {}
        if not isinstance(leaves, dict):
            raise ConfigError(f"{path}: ros__parameters of node {node!r} must be a mapping")
        flat.update(_flatten(leaves))
    flat.pop("use_sim_time", None)  # a ROS parameter of every node, not ours
    return flat


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat.update(_flatten(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return flat


def _checked(parameter: Parameter, value: Any) -> Any:
    low, high = parameter.low, parameter.high
    if parameter.type is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if parameter.type is tuple and isinstance(value, (list, tuple)):
        if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
            raise ConfigError(f"{parameter.name} must be a list of numbers, got {value!r}")
        value = tuple(float(v) for v in value)
        if len(value) != len(parameter.default):
            raise ConfigError(f"{parameter.name} needs {len(parameter.default)} numbers, got {len(value)}")
    if not isinstance(value, parameter.type) or (isinstance(value, bool) and parameter.type is not bool):
        raise ConfigError(f"{parameter.name} must be {parameter.type.__name__}, got {value!r}")
    if isinstance(value, (int, float)) and low is not None and high is not None and not low <= value <= high:
        raise ConfigError(f"{parameter.name} = {value} is outside [{parameter.low}, {parameter.high}]")
    if parameter.choices and value not in parameter.choices:
        raise ConfigError(f"{parameter.name} = {value!r} must be one of {', '.join(parameter.choices)}")
    return value
